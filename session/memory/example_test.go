package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/coatcheck/coatcheck/session/memory"
)

func ExampleStore() {
	var store memory.Store // or &memory.Store{MaxBytes: 256 << 20}
	ctx := context.Background()
	if err := store.Create(ctx, "greeting", []byte("hello"), time.Minute); err != nil {
		fmt.Println(err)
		return
	}
	value, _, err := store.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)
	// Output: hello <nil>
}
