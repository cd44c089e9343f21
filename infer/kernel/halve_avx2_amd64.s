#include "textflag.h"

// float32 to float16, which F16C does to nearest even when told to (rounding mode 0), subnormal numbers included; of a NaN the upper bits stay.
//
//	DI dst   SI x   CX numbers left   Y0 eight of them   X1 one

// func halveAVX2(dst *uint16, x *float32, n int)
TEXT ·halveAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $8, CX
	JLT  last

eight:
	VMOVUPS   (SI), Y0
	VCVTPS2PH $0, Y0, (DI)
	ADDQ      $32, SI
	ADDQ      $16, DI
	SUBQ      $8, CX
	JGE       eight

last:
	ADDQ $8, CX
	JZ   done

one:
	VMOVSS    (SI), X1
	VCVTPS2PH $0, X1, X1
	VPEXTRW   $0, X1, (DI)
	ADDQ      $4, SI
	ADDQ      $2, DI
	DECQ      CX
	JNZ       one

done:
	VZEROUPPER
	RET
