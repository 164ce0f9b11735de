package joinkey_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ambit-go/ambit/guard"
	"github.com/ambit-go/ambit/guard/joinkey"
)

// A tool signs its requests with the decision under which it runs.
func Example() {
	scale := func(ctx context.Context, replicas int) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPatch, "https://k8s.example/apis/apps/v1/…", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("User-Agent", "autoscaler/1.4 "+joinkey.UserAgent(guard.DecisionID(ctx)))
		return r, nil
	}
	r, err := scale(context.Background(), 3) // outside of a decision
	fmt.Printf("%q %v\n", r.UserAgent(), err)
	fmt.Println(joinkey.UserAgent("01a207ba-1f80-7000-aef3-0b581e63cc10"))
	// Output:
	// "autoscaler/1.4 " <nil>
	// ambit/01a207ba-1f80-7000-aef3-0b581e63cc10
}
