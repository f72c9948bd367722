package session_test

import (
	"context"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
)

// A key is a constant: a name, and the type of what is under it.
func ExampleKey() {
	type Settings struct {
		Language string
		Dark     bool
	}
	const settings session.Key[Settings] = "shop.settings"

	s := managerInMemory().New()
	settings.Put(s, Settings{Language: "en", Dark: true})
	v, ok := settings.Get(s)
	fmt.Println(v, ok)

	settings.Delete(s)
	v, ok = settings.Get(s)
	fmt.Println(v, ok)

	// Output:
	// {en true} true
	// { false} false
}

// Two requests count at the same time, and neither is lost: the function runs
// again on what the first to commit has left. Chimw's examples show what
// becomes of a Get followed by a Put.
func ExampleKey_Update() {
	const visits session.Key[int] = "visits"
	m := managerInMemory()
	ctx := context.Background()
	c := signIn(m, "alice", "").Credential()

	one, err1 := m.Load(ctx, c)
	other, err2 := m.Load(ctx, c)
	if err1 != nil || err2 != nil {
		log.Fatal(err1, err2)
	}
	for _, s := range []*session.Session{one, other} {
		visits.Update(s, func(n int) int { return n + 1 })
		if err := s.Commit(ctx); err != nil {
			log.Fatal(err)
		}
	}
	n, _ := visits.Get(other)
	fmt.Println(n)

	// Output: 2
}

// A message for the next page, shown once.
func ExampleKey_Pop() {
	const flash session.Key[string] = "flash"
	s := managerInMemory().New()
	flash.Put(s, "Your order is on its way.")

	for range 2 {
		message, ok := flash.Pop(s)
		fmt.Printf("%q %t\n", message, ok)
	}

	// Output:
	// "Your order is on its way." true
	// "" false
}

// A value of another type than it is read as counts as absent, and is reported:
// a new version of a program doesn't lock its users out.
func ExampleKey_anotherType() {
	const before session.Key[string] = "size"
	const now session.Key[int] = "size"
	s := managerInMemory().New()
	before.Put(s, "large")
	size, ok := now.Get(s)
	fmt.Println(size, ok)

	// Output: 0 false
}

func ExampleSession_Clear() {
	const cart, theme session.Key[string] = "cart", "theme"
	s := managerInMemory().New()
	cart.Put(s, "coat")
	theme.Put(s, "dark")
	fmt.Println(s.Keys())

	s.Clear()
	theme.Put(s, "dark") // what is to stay
	fmt.Println(s.Keys())

	// Output:
	// [cart theme]
	// [theme]
}
