package link

import "slices"

// IsMetered tells whether what is sent over the network may cost by the octet: as the system says, or else whether it is a mobile one. Where neither is
// known it is not.
func (n Network) IsMetered() bool {
	if n.Metered {
		return true
	}
	if metered, known := managed(); known {
		return metered
	}
	return slices.ContainsFunc(n.Ways, func(w Interface) bool { return w.Kind == Mobile })
}
