package strictjson

import "unsafe"

// ComputedDoubleValue is a Double as a computation made it: any float64.
func ComputedDoubleValue(f float64) Value { return doubleValue(f) }

// ZonedInstantValue is an [InstantValue] that remembers the zone in which it
// was written, by a number that the computation gives it. It equals the same
// instant of another zone.
func ZonedInstantValue(sec int64, nsec int32, zone int16) Value {
	v := InstantValue(sec, nsec)
	if zone != 0 {
		kept := zone // so that only such a value costs an allocation
		v.data.p = unsafe.Pointer(&kept)
	}
	return v
}

// Zone returns the zone of a [ZonedInstantValue], 0 for any other.
func (v Value) Zone() int16 {
	if v.kind != Timestamp || v.data.p == nil {
		return 0
	}
	return *(*int16)(v.data.p)
}
