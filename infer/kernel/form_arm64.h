// What the products of expanded panels share. neon_arm64.h and panel_arm64.h are to be included first.
//
//	R0 y   R1 yStride   R2 expanded block   R3-R6 activations of tokens 0-3   R8 blocks left
//	R9, R10, R12 distance from R3-R6 to the tokens' scales, sums and sums of first halves
//	V4-V7 activations of tokens 0-3   V16-V31 acc [token][4]

#define FORM_BEGIN \
	TILE_ARGS(R8)         \
	LSL  $5, R8, R9       \
	ADD  R8<<2, R9, R10   \
	ADD  R8<<2, R10, R12  \
	ZERO_TILE

// NEXT_BLOCK moves on. R9, R10 and R12 take back the step of the activations, 32, when they go to the next scale and sum: 28 bytes back.
#define NEXT_BLOCK(bytes) \
	ADD  $bytes, R2 \
	ADD  $32, R3    \
	ADD  $32, R4    \
	ADD  $32, R5    \
	ADD  $32, R6    \
	SUB  $28, R9    \
	SUB  $28, R10   \
	SUB  $28, R12   \
	SUBS $1, R8

// X loads the 16 activations at off of each token, X_SCALES their scales.
#define X(off) \
	FMOVQ (off)(R3), F4 \
	FMOVQ (off)(R4), F5 \
	FMOVQ (off)(R5), F6 \
	FMOVQ (off)(R6), F7
#define X_SCALES \
	FMOVS (R3)(R9), F4 \
	FMOVS (R4)(R9), F5 \
	FMOVS (R5)(R9), F6 \
	FMOVS (R6)(R9), F7
