/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Images: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "image list",
		.wire = "image-list",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(FLAG("tree", 0, LOCAL, "overlays below their bases"),
			TEXT("pool", 0, OPTION, "only those of this pool"),
			TEXT("columns", 'o', LOCAL,
				"the columns to print, comma-separated")),
		.usage = "[--tree] [--pool P] [-o COLS]",
		.help = "the images of the pools, and who needs them",
	},
	{
		.name = "image info",
		.wire = "image-info",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL),
		.usage = "IMAGE [--format F] [--pool P]",
		.help = "size, base, snapshots and state of an image",
		.more = "IMAGE with a slash is a path, which takes the role "
			"admin; without one it is a volume of a pool.  Its "
			"suffix tells its format, else --format does: the "
			"first bytes of an image are never believed, they may "
			"be a guest's.",
	},
	{
		.name = "image create",
		.wire = "image-create",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "its name"),
			{ "size", ARG_SIZE, ARG_OPTIONAL, 0, NULL,
				"default: that of the base" },
			ARG_IMAGE("base", OPTION, "the image below it"),
			ARG_FORMAT("base-format", "the base's format"),
			ARG_FORMAT("format", "its format"), ARG_LAYOUT,
			ARG_SECRET("secret-file",
				"encrypt it (LUKS); a file with the secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE [SIZE] [--base IMAGE] [--format F] "
			 "[--preallocation P] [--cluster-size N] "
			 "[--extended-l2] [--compression C] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "make an image: image create data.qcow2 10G",
		.more = "A secret is UTF-8, at most 1024 bytes; the line end "
			"at its end does not count.  Its file may be read by "
			"its owner only.",
	},
	{
		.name = "image resize",
		.wire = "image-resize",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			{ "size", ARG_SIZE, 0, 0, NULL, "the new size" },
			FLAG("shrink", 0, OPTION,
				"cut its end off, with what is in it"),
			ARG_FORMAT("format", "its format"),
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE SIZE [--shrink] [--format F] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "change the size of an image that nobody uses",
	},
	{
		.name = "image check",
		.wire = "image-check",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			TEXT_OF("repair", "leaks|all", "correct what is wrong"),
			ARG_FORMAT("format", "its format"),
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE [--repair leaks|all] [--format F] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "look for errors in an image; exit 1 if there are any",
		.more = "--repair leaks frees what nothing refers to.  "
			"--repair all may guess: copy the image first.",
	},
	{
		.name = "image convert",
		.wire = "image-convert",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "what is copied"),
			ARG_IMAGE("new", 0, "the copy's name"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("to", "the copy's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			ARG_LAYOUT,
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_SECRET(
				"new-secret-file", "encrypt the copy (LUKS)"),
			ARG_POOL, ARG_TO_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE NEW [--format F] [--to F] [--compress] "
			 "[--preallocation P] [--cluster-size N] "
			 "[--extended-l2] [--compression C] "
			 "[--secret-file FILE] [--new-secret-file FILE] "
			 "[--pool P] [--to-pool P]",
		.help = "copy an image into another format",
	},
	{
		.name = "image clone",
		.wire = "image-clone",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "what is cloned"),
			ARG_IMAGE("new", 0, "the clone's name"),
			FLAG("full", 0, OPTION,
				"copy it; else the clone needs it"),
			FLAG("reflink", 0, OPTION,
				"copy it by sharing its blocks"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("to", "the clone's format"), ARG_POOL,
			ARG_TO_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE NEW [--full|--reflink] [--format F] [--to F] "
			 "[--pool P] [--to-pool P]",
		.help = "an image on top of another, or a copy of it",
	},
	{
		.name = "image rebase",
		.wire = "image-rebase",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_IMAGE("base", 0, "what it is to be on top of"),
			FLAG("unsafe", 0, OPTION,
				"write only the new base's name"),
			ARG_FORMAT("base-format", "the base's format"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE BASE [--unsafe] [--base-format F] [--format F] "
			 "[--pool P]",
		.help = "put an image on top of another base",
		.more = "What a guest reads stays the same: where the two "
			"bases differ, the image gets what the old one had.  "
			"--unsafe only writes the name, for a base that was "
			"moved: if its content differs, the image is spoilt.",
	},
	{
		.name = "image flatten",
		.wire = "image-flatten",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] "
			 "[--pool P]",
		.help = "copy into an image what it has from its base",
	},
	{
		.name = "image commit",
		.wire = "image-commit",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			FLAG("keep", 0, OPTION,
				"do not empty the image afterwards"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--keep] [--format F] "
			 "[--pool P]",
		.help = "write an image into its base",
		.more = "Nothing else may need the base.  The image stays on "
			"top of it, empty.  Asks "
			"first: the base is not what it was.  Interrupted, it "
			"may leave half of that: the image reads the same, and "
			"the base is refused by other verbs but delete, and "
			"to VMs, until the commit is repeated.",
	},
	{
		.name = "image compare",
		.wire = "image-compare",
		.flags = VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_IMAGE("other", 0, "what it is compared with"),
			FLAG("strict", 0, OPTION,
				"sizes and holes must be the same too"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("other-format", "the other's format"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE OTHER [--strict] [--format F] "
			 "[--other-format F] "
			 "[--pool P]",
		.help = "whether two images read the same; exit 8 if not",
	},
	{
		.name = "image map",
		.wire = "image-map",
		.flags = VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] "
			 "[--pool P]",
		.help = "which parts of an image have data, and where it is",
		.more = "The totals count all parts; of the parts themselves "
			"the first 256 are told.",
	},
	{
		.name = "image delete",
		.wire = "image-delete",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] [--pool P]",
		.help = "delete an image that nothing needs",
	},

	{
		.name = "image import",
		.wire = "image-import",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS({ "file", ARG_FILE, ARG_OPENED, 0, NULL, "the file" },
			TEXT("name", 0, OPTION,
				"the volume's; default: the file's, in its "
				"new format"),
			ARG_FORMAT("format", "the file's format"),
			ARG_FORMAT("to", "the volume's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			FLAG("with-snapshots", 0, OPTION,
				"take the present state of one that has "
				"snapshots inside"),
			TEXT("disk", 0, OPTION,
				"which of the .vmdk files in an .ova"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "FILE|OVA [--name N] [--format F] [--to F] "
			 "[--compress] [--with-snapshots] [--disk N] "
			 "[--pool P]",
		.help = "copy an image from outside into a pool",
		.more = "For images that somebody else made.  vmward opens the "
			"file and sends its descriptor: what you may not read "
			"is not read for you.  What could read other files of "
			"this host is refused: backing and data files, "
			"extents, and what is no plain file; so "
			"are encrypted images and sizes that make no sense.  "
			"qemu-img works on the rest in a cage: it can open "
			"the file and its copy, has no network, and limits of "
			"memory and time.  Another format is told by --format "
			"or the suffix, never by what is inside.  Of an "
			"archive (.ova) a disk is read in its place; where a "
			"manifest (.mf) is in it, the disk and the "
			"description (.ovf) have the digests that it says, or "
			"all is refused.  The description is read in the cage "
			"as well: it must tell of the disk, with the size that "
			"it has; the name, memory and processors that it gives "
			"the VM are offered as the next command.",
	},
	{
		.name = "image pull",
		.wire = "image-pull",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(TEXT("source", 0, 0, "a name of the catalogue or a URL"),
			TEXT("sha256", 0, OPTION,
				"64 digits, as sha256sum prints them; for a "
				"URL"),
			TEXT("name", 0, OPTION,
				"the volume's; default: the source's, in its "
				"new format"),
			ARG_FORMAT("format", "what is fetched"),
			ARG_FORMAT("to", "the volume's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			FLAG("with-snapshots", 0, OPTION,
				"take the present state of one that has "
				"snapshots inside"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME|URL [--sha256 HEX] [--name N] [--format F] "
			 "[--to F] [--compress] [--pool P]",
		.help = "fetch an image and take it into a pool",
		.more = "NAME is a section of catalogue.ini, beside the "
			"directories of the host's configuration, with the "
			"keys url, sha256 and perhaps format; a URL is "
			"https://, http:// or file:///, with --sha256.  curl "
			"fetches it in a cage; what has another sha256 is "
			"thrown away.  The rest is kept in the cache (cache/ "
			"in the state's directory, whose files may be "
			"deleted), looked at again at each use, and imported "
			"as image import does it.",
	},
	{
		.name = "image catalogue",
		.wire = "image-catalogue",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(TEXT("columns", 'o', LOCAL,
			"the columns to print, comma-separated")),
		.usage = "[-o COLS]",
		.help = "what image pull knows by name",
		.more = "The sections of catalogue.ini.  CACHED: its file is "
			"in the cache, and pull fetches nothing.  A section "
			"with a mistake is listed with it.",
	},
	{
		.name = "pool list",
		.wire = "pool-list",
		.aliases = "pool-list",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(TEXT("columns", 'o', LOCAL,
			"the columns to print, comma-separated")),
		.usage = "[-o COLS]",
		.help = "the pools that images are in, and their space",
		.more = "CAPACITY is that of the file system, or the quota if "
			"that is less; VIRTUAL what the guests of all its "
			"images may fill, OVERCOMMIT the share of the "
			"capacity that this is.",
	},
	{
		.name = "pool info",
		.wire = "pool-info",
		.aliases = "pool-info",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(TEXT("pool", 0, ARG_OPTIONAL,
			"its name; default: "
			"default")),
		.usage = "[NAME]",
		.help = "one pool, its space and its images",
	},
	/* clang-format on */
