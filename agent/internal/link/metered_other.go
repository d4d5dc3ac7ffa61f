//go:build !linux

package link

func managed() (metered, known bool) { return false, false }
