# slice SRC OFFSET LEN OUT      x86_64 Linux, no libc
#
# Copies SRC[OFFSET .. OFFSET+LEN) to the new file OUT, mode 0755. Any failure,
# a source that is too short included, exits 1.
#
# This is the only machine code the substrate carries. nix/tests/slice.sh
# assembles it and compares the result with slice.tgz.uu byte for byte.
#
# A static ELF starts with argc at [rsp] and argv[0] at [rsp+8].
.intel_syntax noprefix
.globl _start
.text
_start:
  mov r12,[rsp+16]    # SRC
  mov rsi,[rsp+24]
  call atoi
  mov r13,rax         # OFFSET
  mov rsi,[rsp+32]
  call atoi
  mov r14,rax         # LEN, then what is left of it
  mov r15,[rsp+40]    # OUT
  mov eax,2           # open(SRC, O_RDONLY)
  mov rdi,r12
  xor esi,esi
  xor edx,edx
  syscall
  test eax,eax
  js fail
  mov ebx,eax
  mov eax,2           # open(OUT, O_WRONLY|O_CREAT|O_EXCL, 0755)
  mov rdi,r15
  mov esi,0301
  mov edx,0755
  syscall
  test eax,eax
  js fail
  mov r12d,eax
  push r13            # sendfile reads and advances the offset at [rsp]
loop:
  test r14,r14
  jz ok
  mov eax,40          # sendfile(out, in, &offset, left)
  mov edi,r12d
  mov esi,ebx
  mov rdx,rsp
  mov r10,r14
  syscall
  test rax,rax
  jle fail            # 0 means that SRC has ended
  sub r14,rax
  jmp loop
ok:
  xor edi,edi
  jmp exit
fail:
  mov edi,1
exit:
  mov eax,60
  syscall
atoi:                 # [rsi], decimal digits -> rax; ends at a byte below '0'
  xor eax,eax
1: movzx ecx,byte ptr [rsi]
  sub ecx,48
  jb 2f
  lea rax,[rax+rax*4]
  lea rax,[rcx+rax*2]
  inc rsi
  jmp 1b
2: ret
