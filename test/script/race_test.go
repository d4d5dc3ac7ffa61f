//go:build race

package script

// flags are those of the programs' build.
var flags = []string{"-race"}
