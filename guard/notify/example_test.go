package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ambit-go/ambit/guard/notify"
	"github.com/ambit-go/ambit/rationale"
)

func Example() {
	secret := []byte("32 random bytes, from a key store")
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		err := notify.Verify(r.Header.Get(notify.Header), body, time.Now(), secret)
		fmt.Println(string(body), err)
	}))
	defer receiver.Close()

	webhook, err := notify.NewWebhook(receiver.URL, nil, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	queue := notify.Start(webhook.Send)
	// guard.WithNotifications(queue.Notify), evidence.Notify(queue.Notify)
	queue.Notify(rationale.Notification{ID: "1", Kind: rationale.NotifyPend, Tool: "fleet.scale"})
	fmt.Println(queue.Close(context.Background()))
	// Output:
	// {"notification":{"id":"1","kind":"pend","at":"0001-01-01T00:00:00Z","tool":"fleet.scale"}} <nil>
	// <nil>
}
