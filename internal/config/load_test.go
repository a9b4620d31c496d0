package config_test

import (
	"errors"
	"testing"

	"github.com/homeward/homeward/internal/config"
)

func TestX(t *testing.T) {
	_, err := config.LoadFile("testdata/everything.yaml")
	var e *config.Error
	if errors.As(err, &e) {
		t.Log(e.Error())
		t.Log(e.String())
	}
	_, err = config.LoadFile("../../examples/demo.yaml")
	if errors.As(err, &e) {
		t.Log(e.Error())
		t.Log(e.String())
	}
}
