package builtin

import (
	"strings"
	"testing"
)

func TestTheModelIsWhatThePackageSays(t *testing.T) {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Name() != "built-in model" || f.Path() != "" {
		t.Errorf("Name %q, Path %q", f.Name(), f.Path())
	}
	if !f.PowerInfer() {
		t.Error("the file carries no predictors")
	}
	if arch, err := f.String("general.architecture"); err != nil || arch != "bamboo" {
		t.Errorf("architecture %q, %v", arch, err)
	}
	for key, want := range map[string]uint64{
		"bamboo.block_count":      6,
		"bamboo.embedding_length": 256,
		"bamboo.context_length":   256,
	} {
		if got, err := f.Uint(key); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", key, got, err, want)
		}
	}
	template, err := f.String("tokenizer.chat_template")
	if err != nil || !strings.Contains(template, "<|im_start|>") {
		t.Errorf("chat template %q, %v", template, err)
	}
}

func TestEveryTensorCanBeRead(t *testing.T) {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Tensors()) == 0 {
		t.Fatal("no tensors")
	}
	for _, tensor := range f.Tensors() {
		if err := f.ReadTensor(tensor, make([]byte, tensor.Size), 0); err != nil {
			t.Error(err)
		}
	}
}

func TestClosingOneLeavesTheOthersOpen(t *testing.T) {
	one, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	two, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	first := two.Tensors()[0]
	if err := two.ReadTensor(first, make([]byte, 16), 0); err != nil {
		t.Error(err)
	}
}
