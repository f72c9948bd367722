package storetest

import (
	"context"
	"time"
)

var callRules = []rule{
	{"a call whose context was cancelled does nothing and says so", func(t *trial) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		endedContext(ctx, t, context.Canceled)
	}},
	{"a call whose deadline has passed does nothing and says so", func(t *trial) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		endedContext(ctx, t, context.DeadlineExceeded)
	}},
	{"a context that ends after a call takes nothing back", func(t *trial) {
		ctx, cancel := context.WithCancel(t.Context())
		err := t.store.Create(ctx, t.key("a"), []byte("one"), long)
		cancel()
		if err != nil {
			t.Fatalf("Create: %v", err)
		}
		v := t.holds(t.key("a"), []byte("one"))
		t.update(t.key("a"), []byte("two"), v, long)
	}},
	{"a slice given to the store is not kept", func(t *trial) {
		value := []byte("one")
		v := t.create(t.key("a"), value, long)
		copy(value, "XXX")
		t.holds(t.key("a"), []byte("one"))

		value = []byte("two")
		t.update(t.key("a"), value, v, long)
		copy(value, "XXX")
		t.holds(t.key("a"), []byte("two"))
	}},
	{"a slice given to the store is not changed", func(t *trial) {
		value := []byte("one, and the capacity behind it")
		given := value[:3]
		v := t.create(t.key("a"), given, long)
		t.update(t.key("a"), given, v, long)
		if string(value) != "one, and the capacity behind it" {
			t.Errorf("the caller's slice became %s", excerpt(value))
		}
	}},
	{"a slice that Get returned belongs to the caller", func(t *trial) {
		v := t.create(t.key("a"), []byte("one"), long)
		first, _, err := t.store.Get(t.ctx, t.key("a"))
		if err != nil {
			t.Fatalf("Get: %v", err)
		}
		copy(first, "XXX")
		_ = append(first, "XXX"...)
		t.unchanged(t.key("a"), []byte("one"), v)

		kept, _, err := t.store.Get(t.ctx, t.key("a"))
		if err != nil {
			t.Fatalf("Get: %v", err)
		}
		t.update(t.key("a"), []byte("two"), v, long)
		if string(kept) != "one" {
			t.Errorf("after an Update, the value that Get had returned became %s", excerpt(kept))
		}
	}},
}

// endedContext tries every method with a context that ended with this error.
func endedContext(ctx context.Context, t *trial, want error) {
	v := t.create(t.key("a"), []byte("one"), long)

	value, _, err := t.store.Get(ctx, t.key("a"))
	t.wants(err, want, "Get")
	if value != nil {
		t.Errorf("Get returned a value beside its error")
	}
	t.wants(t.store.Create(ctx, t.key("b"), []byte("one"), long), want, "Create")
	t.absent(t.key("b"))
	t.wants(t.store.Update(ctx, t.key("a"), []byte("two"), v, long), want, "Update")
	t.unchanged(t.key("a"), []byte("one"), v)
	t.wants(t.store.Delete(ctx, t.key("a")), want, "Delete")
	t.unchanged(t.key("a"), []byte("one"), v)
}
