package neuroncache

import "unsafe"

// What a cache takes beside its arena, so that a budget can count it: bytes for each unit of the model, and for each slot.
const (
	UnitTableBytes = int(unsafe.Sizeof(unit{}))
	SlotTableBytes = int(unsafe.Sizeof(slot{}))
)
