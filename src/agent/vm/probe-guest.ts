// A guest of 230 bytes that proves a processor: it goes from real mode through protected mode into long mode with paging,
// does vector and locked arithmetic there, and only then says that it ran. Less does not do: a KVM without hardware behind it
// interprets single instructions and so gets through firmware, yet stops at the first vector instruction of a kernel.

/** The smallest firmware that QEMU takes. */
const firmwareBytes = 64 * 1024;
/** The processor begins 16 bytes below the end of its firmware. */
const resetOffset = firmwareBytes - 16;
/** Where the code lies in the firmware. It copies itself to 0x8000 and goes on there. */
const codeOffset = 0xfe00;

/** What the guest writes to port 0xf4 when it has run. */
export const probeByte = 0x2a;

/*
 * Made with GNU as from this, symbols counted from 0x8000:
 *
 *   .code16  cld; xorw %cx,%cx; movw %cx,%es; movw $0xfe00,%si; movw $0x8000,%di; movw $0x1f0,%cx
 *            rep movsb %cs:(%si),%es:(%di); ljmp $0,$low
 *   low:     movw %es,%cx; movw %cx,%ds; lgdtl gdtr; movl %cr0,%eax; orb $1,%al; movl %eax,%cr0; ljmpl $0x08,$protected
 *   .code32
 *   protected: movw $0x18,%ax; movw %ax,%ds; movw %ax,%ss
 *            movl $0x2003,0x1000; movl $0x3003,0x2000; movl $0x0083,0x3000   # one page of 2 MiB
 *            movl $0x220,%eax; movl %eax,%cr4; movl $0x1000,%eax; movl %eax,%cr3
 *            movl $0xc0000080,%ecx; rdmsr; orl $0x100,%eax; wrmsr            # long mode
 *            movl %cr0,%eax; orl $0x80000000,%eax; movl %eax,%cr0; ljmp $0x10,$long
 *   .code64
 *   long:    movl $0x7000,%esp; movabsq $0x5245545248455242,%rbx; movq %rbx,%xmm0; pushq %rbx; movq %xmm0,%rdx
 *            popq %rax; movl $100000,%ecx
 *   again:   lock xaddq %rax,(%rsp); loop again; cmpq %rbx,%rdx; jne stop; movb $0x2a,%al; outb %al,$0xf4
 *   stop:    hlt; jmp stop
 *   gdt:     .quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
 *   gdtr:    .word 31; .long gdt
 */
const code = Buffer.from(
  [
    'fc31c98ec1be00febf0080b9f0012ef3a4ea168000008cc18ed9660f0116e0800f20c00c010f22c066ea308000000800',
    '66b818008ed88ed0c7050010000003200000c7050020000003300000c7050030000083000000b8200200000f22e0b800',
    '1000000f22d8b9800000c00f320d000100000f300f20c00d000000800f22c0ea868000001000bc0070000048bb425245',
    '485254455266480f6ec35366480f7ec258b9a0860100f0480fc10424e2f84839da7504b02ae6f4f4ebfd660f1f440000',
    '0000000000000000ffff0000009bcf00ffff0000009baf00ffff00000093cf001f00c0800000',
  ].join(''),
  'hex',
);

/** The probe guest as a firmware image for QEMU's `-bios`. */
export function probeFirmware(): Buffer {
  const firmware = Buffer.alloc(firmwareBytes);
  code.copy(firmware, codeOffset);
  firmware.writeUInt8(0xe9, resetOffset); // a near jump, counted from the instruction after it
  firmware.writeInt16LE(codeOffset - (resetOffset + 3), resetOffset + 1);
  return firmware;
}
