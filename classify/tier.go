package classify

import "fmt"

// Tier says how much autonomy a class of decision has. The zero Tier, and any
// value that is not one of the constants, is unknown and denies.
type Tier uint8

const (
	// TierUnknown is the zero Tier. It ranks above every other and denies.
	TierUnknown Tier = iota
	// Parameterized: the agent acts within its bounds.
	Parameterized
	// BoundedEscalation: the agent acts, and a human must review afterwards.
	BoundedEscalation
	// AuthorizationRequired: the agent proposes, a human approves first.
	AuthorizationRequired
	// Prohibited: never.
	Prohibited
)

var tierNames = [...]string{
	TierUnknown:           "unknown",
	Parameterized:         "parameterized",
	BoundedEscalation:     "bounded_escalation",
	AuthorizationRequired: "authorization_required",
	Prohibited:            "prohibited",
}

// Tiers returns the four tiers from the most to the least autonomy.
func Tiers() []Tier {
	return []Tier{Parameterized, BoundedEscalation, AuthorizationRequired, Prohibited}
}

// ParseTier returns the tier of that exact name, or an error that lists the
// names there are. The name "unknown" is not accepted.
func ParseTier(name string) (Tier, error) {
	for _, t := range Tiers() {
		if tierNames[t] == name {
			return t, nil
		}
	}
	return TierUnknown, fmt.Errorf("unknown tier %q: want parameterized, bounded_escalation, authorization_required or prohibited", name)
}

// Known reports whether t is one of the four tiers.
func (t Tier) Known() bool { return t > TierUnknown && t <= Prohibited }

// String returns the tier's name; "unknown" for every other value.
func (t Tier) String() string {
	if !t.Known() {
		return tierNames[TierUnknown]
	}
	return tierNames[t]
}

// Max returns the tier with the lesser autonomy. An unknown tier is the
// highest of all, so that nothing can lower it.
func Max(a, b Tier) Tier {
	if !a.Known() || !b.Known() {
		return TierUnknown
	}
	return max(a, b)
}

// MarshalText encodes the tier's name.
func (t Tier) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText never fails: text that is no tier's name decodes to
// TierUnknown, which denies. Use [ParseTier] where bad text is an error.
func (t *Tier) UnmarshalText(text []byte) error {
	*t, _ = ParseTier(string(text))
	return nil
}
