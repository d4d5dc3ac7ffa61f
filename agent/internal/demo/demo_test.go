package demo_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/demo"
)

func TestTheStoryHolds(t *testing.T) {
	if err := demo.Once(t.Context(), t.Output()); err != nil {
		t.Error(err)
	}
}
