/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions of OVAs: what is read of them, and what is refused. */
#include "storage/ovf.h"

#include <stdlib.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/xml_scan.h"
#include "tests/unit/tap.h"

#define OPEN  "<Envelope xmlns:ovf=\"u\" xmlns:rasd='v'>"
#define CLOSE "</Envelope>"
#define FILES                                                \
	"<References><File ovf:href=\"./a%20b.vmdk\" "       \
	"ovf:id=\"f1\"/><File ovf:id='f2' ovf:href='c.vmdk'" \
	" /></References>"
#define DISKS                                                         \
	"<DiskSection><Info>x &amp; y</Info><Disk ovf:diskId=\"d1\" " \
	"ovf:fileRef=\"f1\" ovf:capacity=\"3\" "                      \
	"ovf:capacityAllocationUnits=\"byte * 2^20\" ovf:format="     \
	"\"http://www.vmware.com/interfaces/specifications/vmdk.html" \
	"#streamOptimized\"/><Disk ovf:fileRef=\"f2\" ovf:capacity="  \
	"\"${size}\" ovf:format=\"http://vhd\"/>"                     \
	"<Disk ovf:diskId=\"empty\" ovf:capacity=\"9\"/></DiskSection>"
#define ITEM(kind, units, n)                                           \
	"<Item><rasd:AllocationUnits>" units "</rasd:AllocationUnits>" \
	"<rasd:ElementName>e</rasd:ElementName>"                       \
	"<rasd:ResourceType>" kind "</rasd:ResourceType>"              \
	"<rasd:VirtualQuantity>" n "</rasd:VirtualQuantity></Item>"
#define SYSTEM(more)                                                \
	"<VirtualSystem ovf:id=\"i\"><Name>My Web (1)</Name>"       \
	"<VirtualHardwareSection>" more "</VirtualHardwareSection>" \
	"</VirtualSystem>"

static void reads(const char *text, const char *want, const char *what)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *ovf = ovf_read(text, strlen(text), &err);
	char *got = json_dumps(ovf, JSON_COMPACT | JSON_SORT_KEYS);

	is_str(got ? got : err.text, want, "%s", what);
	free(got);
}

static void test_reading(void)
{
	reads("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x --> " OPEN FILES
			DISKS SYSTEM(ITEM("3", "hertz * 10^6", "2") ITEM("4",
				"byte * 2^20", " 512 ") ITEM("17", "", "7"))
				CLOSE "\n",
		"{\"disks\":[{\"capacity\":3145728,\"file\":\"a b.vmdk\","
		"\"format\":\"http://www.vmware.com/interfaces/specifications/"
		"vmdk.html#streamOptimized\"},{\"file\":\"c.vmdk\",\"format\":"
		"\"http://vhd\"}],\"vm\":{\"cpus\":2,\"memory\":536870912,"
		"\"name\":\"My Web (1)\"}}",
		"all of it");
	reads(OPEN FILES DISKS SYSTEM("") SYSTEM("") CLOSE,
		"{\"disks\":[{\"capacity\":3145728,\"file\":\"a b.vmdk\","
		"\"format\":\"http://www.vmware.com/interfaces/specifications/"
		"vmdk.html#streamOptimized\"},{\"file\":\"c.vmdk\",\"format\":"
		"\"http://vhd\"}]}",
		"two VMs: none is meant");
	reads(OPEN DISKS CLOSE, "{\"disks\":[]}", "disks without their files");
	reads(OPEN SYSTEM(ITEM("4", "MegaBytes", "99999999999999999999") ITEM(
		      "3", "", "70000") ITEM("4", "furlong", "3")) CLOSE,
		"{\"disks\":[],\"vm\":{\"memory\":0,\"name\":\"My Web (1)\"}}",
		"quantities of no sense");
	reads("<x/>", "it has no Envelope", "another document");
}

static void test_refused(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "line 1: it ends too early" },
		{ "\n\n<a>", "line 3: it ends too early" },
		{ "<a></b>", "line 1: the end of what did not begin" },
		{ "</a>", "line 1: the end of what did not begin" },
		{ "<a/><b/>", "line 1: something stands behind its end" },
		{ "<a/>x", "line 1: text outside of all elements" },
		{ "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
			"line 1: a document type, or a section of raw text" },
		{ "<a><![CDATA[x]]></a>",
			"line 1: a document type, or a section of raw text" },
		{ "<a>&lol;</a>",
			"line 1: an entity that is not one of XML's own" },
		{ "<a>&#0;</a>",
			"line 1: a number that is no plain character" },
		{ "<a>&#x;</a>",
			"line 1: a number that is no plain character" },
		{ "<a b=c/>", "line 1: a value is not quoted" },
		{ "<a b/>", "line 1: an attribute has no value" },
		{ "<a b='1'c='2'/>", "line 1: no blank before an attribute" },
		{ "<a b='<'/>", "line 1: '<' in a value" },
		{ "<a b='1", "line 1: it ends too early" },
		{ "<a/ >", "line 1: a tag that does not end" },
		{ "<>", "line 1: no name" },
		{ "<a>\xff</a>", "line 1: it is no text in UTF-8" },
		{ "<!-- ", "line 1: it ends too early" },
	};

	for (size_t i = 0; i < NELEMS(cases); i++)
		reads(cases[i].text, cases[i].why, cases[i].text);
	struct err err = ERR_INIT;
	ok(!ovf_read("<a>\0</a>", 8, &err), "a NUL: %s", err.text);
}

static void test_bounds(void)
{
	AUTO_STR struct str text = STR_INIT;

	for (int i = 0; i <= XML_DEEPEST; i++)
		str_add(&text, "<a>");
	reads(str_text(&text), "line 1: it has too many elements", "too deep");
	str_cut(&text, 0);
	str_add(&text, "<a>");
	for (int i = 0; i < 70000; i++)
		str_addc(&text, 'x');
	str_add(&text, "</a>");
	reads(str_text(&text), "line 1: a text is too long", "a long text");
	str_cut(&text, 0);
	str_add(&text, "<a>");
	for (int i = 0; i < 20000; i++)
		str_add(&text, "<b/>");
	reads(str_text(&text), "line 1: it has too many elements", "too many");
	str_cut(&text, 0);
	str_add(&text, "<a");
	for (int i = 0; i <= XML_ATTRIBUTES; i++)
		str_addf(&text, " b%d=''", i);
	reads(str_text(&text), "line 1: an element has too many attributes",
		"too many attributes");
	str_cut(&text, 0);
	str_add(&text, "<");
	for (int i = 0; i < XML_NAME_SIZE; i++)
		str_addc(&text, 'n');
	reads(str_text(&text), "line 1: a name is too long", "a long name");
}

static void test_disk(void)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *ovf = ovf_read(
		OPEN FILES DISKS CLOSE, strlen(OPEN FILES DISKS CLOSE), &err);
	uint64_t capacity = 7;

	ok(!ovf_check_disk(ovf, "x.ova", "./a b.vmdk", &capacity, &err) &&
			capacity == 3 << 20,
		"a disk of it");
	ok(ovf_check_disk(ovf, "x.ova", "c.vmdk", &capacity, &err), "no vmdk");
	is_str(err.text,
		"'x.ova' is refused: its .ovf says that 'c.vmdk' is no vmdk",
		"it says so");
	err_clear(&err);
	ok(ovf_check_disk(ovf, "x.ova", "d.vmdk", &capacity, &err), "not told");
	is_str(err.text,
		"'x.ova' is refused: its .ovf tells of no disk 'd.vmdk'",
		"it says so");
}

static void names(const char *said, const char *want)
{
	AUTO_FREE char *name = ovf_vm_name(said);

	is_str(name, want, "a VM's name of '%s'", said);
}

int main(void)
{
	test_reading();
	test_refused();
	test_bounds();
	test_disk();
	names("My Web (1)", "my-web-1");
	names("--$(reboot)--", "reboot");
	names("\xc3\xa4", NULL);
	names("abcdefghijklmnopqrstuvwxyz0123456789",
		"abcdefghijklmnopqrstuvwxyz012345");
	return done();
}
