# SPDX-License-Identifier: GPL-2.0-or-later
# A guest in four sectors.  It boots from its disk under SeaBIOS, prints
# "READY LABEL" on COM1 and obeys bytes that arrive there:
#
#   p  power off            r  reset (0xcf9)        t  triple fault
#   h  cli; hlt             l  loop for ever        c  panic (pvpanic, isa)
#   w  arm the ib700 watchdog: 2 s                  i  ignore the power button
#   W  arm the i6300esb watchdog: 2 s
#   n  add one to the counter on LBA 8 of the disk, print it: "0001"
#   f  fill the second half of the MiB, one sector after the other; each is
#      full of its number, 16 bits; then print the next: "FULL 0800"
#   b  chat: "chat 0000", "chat 0001", ... until a byte arrives
#   e  finish PCI unplug: "EJ bsel mask"            u  vCPUs: "CPU+ n", "CPU- n"
#   m  DIMMs: "MEM+ n", "MEM- n"                    M  the same, refuse: "MEMx n"
#
# i again obeys it again; anything else gets "?".  The power button prints
# "PWR" and powers off; an NMI prints "NMI".  The label is 32 bytes at offset
# 2016 of the image, filled with NUL: ./label changes it without assembling.

	.set COM1, 0x3f8
	.set COM1_IER, 0x3f9
	.set COM1_MCR, 0x3fc
	.set COM1_LSR, 0x3fd
	.set PIC_MASK, 0x21
	.set PM1_STS, 0x600
	.set PM1_EN, 0x602
	.set PM1_CNT, 0x604
	.set POWER_BUTTON, 0x100
	.set RESET_PORT, 0xcf9
	.set PVPANIC, 0x505
	.set IB700_START, 0x443
	.set PCI_ADDRESS, 0xcf8
	.set PCI_DATA, 0xcfc
	.set I6300ESB, 0x25ab8086
	.set MEM_HOTPLUG, 0xa00
	.set Q35_CPU_HOTPLUG, 0xcd8
	.set PC_CPU_HOTPLUG, 0xaf00
	.set Q35_PCI_HOTPLUG, 0xcc0
	.set PC_PCI_HOTPLUG, 0xae00
	.set BUFFER, 0x9000		# one sector of the disk
	.set INSERTING, 2		# status bits of the ACPI hotplug blocks
	.set REMOVING, 4
	.set EJECT, 8

	.code16
	.globl _start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	movb	%dl, drive
	sti
	movw	$rest, %si
	movb	$0x42, %ah
	call	disk
	jnc	begin
	movw	$error, %si
	call	puts
	jmp	halt

# al, ah=0x42 read or 0x43 write the packet at si; carry: failed
disk:
	movb	drive, %dl
	xorb	%al, %al
	int	$0x13
	ret

# prints the text at si
puts:
	lodsb
	testb	%al, %al
	jz	1f
	call	putc
	jmp	puts
1:	ret

# prints al
putc:
	pushw	%dx
	pushw	%ax
	movw	$COM1_LSR, %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	jz	1b
	popw	%ax
	movw	$COM1, %dx
	outb	%al, %dx
	popw	%dx
	ret

# prints eax as 8 digits, or ax as 4
hex8:
	movw	$8, %cx
	jmp	1f
hex4:
	shll	$16, %eax
	movw	$4, %cx
1:	roll	$4, %eax
	pushl	%eax
	andb	$15, %al
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	2f
	addb	$7, %al
2:	call	putc
	popl	%eax
	loop	1b
	ret

# prints the text at si, di as 4 digits, and ends the line
report:
	call	puts
	movw	%di, %ax
	call	hex4
newline:
	movw	$crlf, %si
	jmp	puts

error:	.asciz	"ERR\r\n"
drive:	.byte	0
deaf:	.byte	0			# ignores the power button
refuse:	.byte	0			# refuses to give up DIMMs
	.balign	4
rest:	.byte	16, 0, 3, 0		# sectors 1-3 behind this one
	.word	0x7e00, 0
	.quad	1
sector:	.byte	16, 0, 1, 0		# the counter
	.word	BUFFER, 0
	.quad	8
part:	.byte	16, 0, 1, 0		# what is filled
	.word	BUFFER, 0
	.quad	0

	.org	510
	.word	0xaa55

begin:
	movw	$nmi, 8			# vector 2
	movw	$0, 10
	movw	$PM1_EN, %dx		# else QEMU never sets the status bit
	movw	$POWER_BUTTON, %ax
	outw	%ax, %dx
	movw	$COM1_IER, %dx		# a byte ends hlt at once
	movb	$1, %al
	outb	%al, %dx
	movw	$COM1_MCR, %dx
	movb	$0x0b, %al
	outb	%al, %dx
	inb	$PIC_MASK, %al
	andb	$0xef, %al
	outb	%al, $PIC_MASK
	movw	$ready, %si
	call	puts
	movw	$label, %si
	call	puts
	call	newline

main:
	cli
	movw	$PM1_STS, %dx
	inw	%dx, %ax
	testw	$POWER_BUTTON, %ax
	jnz	button
	movw	$COM1_LSR, %dx
	inb	%dx, %al
	testb	$1, %al
	jnz	byte
	sti				# a byte, or the 18.2 Hz tick
	hlt
	jmp	main

button:
	sti
	movw	$POWER_BUTTON, %ax	# writing 1 clears it
	outw	%ax, %dx
	movw	$pressed, %si
	call	puts
	testb	$1, deaf
	jz	poweroff
	jmp	main

byte:
	sti
	movw	$COM1, %dx
	inb	%dx, %al
	movw	$commands, %si
1:	cmpb	$0, (%si)
	je	unknown
	cmpb	(%si), %al
	je	2f
	addw	$3, %si
	jmp	1b
2:	jmp	*1(%si)

unknown:
	movw	$what, %si
	call	puts
	jmp	main

	.macro	command byte, handler
	.byte	\byte
	.word	\handler
	.endm
commands:
	command 'p', poweroff
	command 'r', reset
	command 't', triple
	command 'h', halt
	command 'l', loop
	command 'c', panic
	command 'w', watchdog
	command 'W', watchdog_pci
	command 'i', ignore
	command 'n', count
	command 'f', fill
	command 'b', chat
	command 'e', eject
	command 'u', cpus
	command 'm', memory
	command 'M', memory_refuse
	.byte	0

poweroff:				# S5 is type 0 on pc and q35
	movw	$PM1_CNT, %dx
	movw	$0x2000, %ax
	outw	%ax, %dx
halt:
	cli
	hlt
	jmp	halt
loop:
	jmp	loop
reset:
	movw	$RESET_PORT, %dx
	movb	$6, %al
	outb	%al, %dx
	jmp	halt
triple:
	lidt	nothing
	int3
	jmp	halt
panic:
	movw	$PVPANIC, %dx
	movb	$1, %al
	outb	%al, %dx
	jmp	main
watchdog:
	movw	$IB700_START, %dx
	movb	$14, %al
	outb	%al, %dx
	jmp	main
watchdog_pci:
	movl	$0x80000000, %ebx	# bus 0, from slot 0
1:	xorb	%bl, %bl
	call	pci_register
	inl	%dx, %eax
	cmpl	$I6300ESB, %eax
	je	2f
	addl	$0x800, %ebx
	cmpl	$0x80010000, %ebx
	jb	1b
	jmp	unknown
2:	movb	$0x60, %bl		# a tick of 1 us: two stages of 1 s
	call	pci_register
	movw	$7, %ax
	outw	%ax, %dx
	movb	$0x68, %bl		# enabled
	call	pci_register
	movb	$2, %al
	outb	%al, %dx
	jmp	main
pci_register:				# ebx: its address; dx: where it is
	movw	$PCI_ADDRESS, %dx
	movl	%ebx, %eax
	outl	%eax, %dx
	movw	$PCI_DATA, %dx
	ret
ignore:
	xorb	$1, deaf
	jmp	unknown

count:
	movw	$sector, %si
	movb	$0x42, %ah
	call	disk
	jc	1f
	incw	BUFFER
	movw	$sector, %si
	movb	$0x43, %ah
	call	disk
	jc	1f
	movw	BUFFER, %ax
	call	hex4
	call	newline
	jmp	main
1:	movw	$error, %si
	call	puts
	jmp	main

fill:
	movw	$1024, %bp
1:	movw	%bp, %ax
	movw	%ax, part + 8
	movw	$BUFFER, %di
	movw	$256, %cx
	cld
	rep stosw
	movw	$part, %si
	movb	$0x43, %ah
	call	disk
	jc	2f
	incw	%bp
	cmpw	$2048, %bp
	jb	1b
	movw	$filled, %si
	movw	%bp, %di
	call	report
	jmp	main
2:	movw	$error, %si
	call	puts
	jmp	main

chat:
	xorw	%di, %di
1:	movw	$chatter, %si
	call	report
	incw	%di
	movw	$COM1_LSR, %dx
	inb	%dx, %al
	testb	$1, %al
	jz	1b
	movw	$COM1, %dx
	inb	%dx, %al
	jmp	main

# ---- ACPI hotplug: what an operating system's AML would do ----

eject:
	movw	$PC_PCI_HOTPLUG, %bx
	call	eject_bus
	movw	$Q35_PCI_HOTPLUG, %bx
	call	eject_bus
	jmp	main
eject_bus:				# bx: base; +4 down, +8 eject, +16 bsel
	xorl	%edi, %edi
1:	movl	%edi, %eax
	leaw	16(%bx), %dx
	outl	%eax, %dx
	leaw	4(%bx), %dx
	inl	%dx, %eax
	cmpl	$-1, %eax
	je	3f
	testl	%eax, %eax
	jz	2f
	leaw	8(%bx), %dx
	outl	%eax, %dx
	pushl	%eax
	movw	$ejected, %si
	call	puts
	movw	%di, %ax
	call	hex4
	movb	$' ', %al
	call	putc
	popl	%eax
	call	hex8
	call	newline
2:	incw	%di
	cmpw	$32, %di
	jb	1b
3:	ret

cpus:
	movw	$Q35_CPU_HOTPLUG, %bx
	call	cpu_block
	movw	$PC_CPU_HOTPLUG, %bx
	call	cpu_block
	jmp	main
cpu_block:				# bx: base; +0 selector, +4 flags
	xorl	%edi, %edi
	movw	%bx, %dx		# the first write leaves legacy mode
	xorl	%eax, %eax
	outl	%eax, %dx
1:	movl	%edi, %eax
	movw	%bx, %dx
	outl	%eax, %dx
	leaw	4(%bx), %dx
	inb	%dx, %al
	cmpb	$0xff, %al
	je	4f
	testb	$INSERTING, %al
	jz	2f
	movb	$INSERTING, %al
	outb	%al, %dx
	movw	$cpu_in, %si
	call	report
2:	leaw	4(%bx), %dx
	inb	%dx, %al
	testb	$REMOVING, %al
	jz	3f
	movb	$REMOVING, %al
	outb	%al, %dx
	movb	$EJECT, %al
	outb	%al, %dx
	movw	$cpu_out, %si
	call	report
3:	incw	%di
	cmpw	$16, %di
	jb	1b
4:	ret

memory_refuse:
	movb	$1, refuse
	jmp	1f
memory:
	movb	$0, refuse
1:	xorl	%edi, %edi
2:	movl	%edi, %eax
	movw	$MEM_HOTPLUG, %dx
	outl	%eax, %dx
	movw	$MEM_HOTPLUG + 20, %dx
	inb	%dx, %al
	cmpb	$0xff, %al
	je	main
	testb	$INSERTING, %al
	jz	3f
	movb	$INSERTING, %al
	outb	%al, %dx
	movl	$1, %eax		# device check: success
	xorl	%ecx, %ecx
	call	tell
	movw	$mem_in, %si
	call	report
3:	movw	$MEM_HOTPLUG + 20, %dx
	inb	%dx, %al
	testb	$REMOVING, %al
	jz	5f
	movb	$REMOVING, %al
	outb	%al, %dx
	movw	$mem_kept, %si
	testb	$1, refuse
	jnz	4f
	movb	$EJECT, %al
	outb	%al, %dx
	movw	$mem_out, %si
	call	report
	jmp	5f
4:	movl	$3, %eax		# eject request: device busy
	movl	$0x82, %ecx
	call	tell
	call	report
5:	incw	%di
	cmpw	$8, %di
	jb	2b
	jmp	main
tell:					# _OST: event in eax, status in ecx
	movw	$MEM_HOTPLUG + 4, %dx
	outl	%eax, %dx
	movw	$MEM_HOTPLUG + 8, %dx
	movl	%ecx, %eax
	outl	%eax, %dx
	ret

nmi:
	pushal
	movw	$interrupted, %si
	call	puts
	popal
	iretw

nothing:	.fill	6, 1, 0		# an interrupt table of no entries
ready:		.asciz	"READY "
pressed:	.asciz	"PWR\r\n"
interrupted:	.asciz	"NMI\r\n"
what:		.asciz	"?\r\n"
crlf:		.asciz	"\r\n"
filled:		.asciz	"FULL "
chatter:	.asciz	"chat "
ejected:	.asciz	"EJ "
cpu_in:		.asciz	"CPU+ "
cpu_out:	.asciz	"CPU- "
mem_in:		.asciz	"MEM+ "
mem_out:	.asciz	"MEM- "
mem_kept:	.asciz	"MEMx "

	.org	2016
label:		.fill	32, 1, 0
