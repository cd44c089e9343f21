#include "textflag.h"
#include "neon_arm64.h"

// float32 to float16, to nearest even as the floating-point control register says in every Go program, subnormal numbers included; of a NaN the upper
// bits stay.
//
//	R0 dst   R1 x   R2 numbers left   V0, V1 eight of them, V0 one

// func halveNEON(dst *uint16, x *float32, n int)
TEXT ·halveNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R2
	SUBS $8, R2
	BLT  last

eight:
	FLDPQ.P 32(R1), (F0, F1)
	FCVTN(2, 0)
	FCVTN2(2, 1)
	FMOVQ.P F2, 16(R0)
	SUBS    $8, R2
	BGE     eight

last:
	ADDS $8, R2
	BEQ  done

one:
	FMOVS.P 4(R1), F0
	FCVTN(0, 0)
	FMOVS   F0, R3
	MOVH.P  R3, 2(R0)
	SUBS    $1, R2
	BNE     one

done:
	RET
