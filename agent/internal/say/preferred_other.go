//go:build !windows && !darwin

package say

// preferred is nothing: what the user has set is in the environment.
func preferred() []string { return nil }
