package guard

import "fmt"

// ErrorCode says what kind of error an [Error] is.
type ErrorCode string

const (
	// CodeConfig: New or Register was given something that cannot work.
	CodeConfig ErrorCode = "config"
	// CodeEvidence: something could not be recorded.
	CodeEvidence ErrorCode = "evidence"
	// CodeNotAllowed: End of a decision that did not allow its call.
	CodeNotAllowed ErrorCode = "not_allowed"
	// CodeEnded: End of a decision that was ended before.
	CodeEnded ErrorCode = "ended"
	// CodePanic: the tool panicked.
	CodePanic ErrorCode = "panic"
	// CodeNotExecuted: the tool provably did not run.
	CodeNotExecuted ErrorCode = "not_executed"
	// CodeUnknown: nobody saw how the tool ended.
	CodeUnknown ErrorCode = "unknown"
)

// Error is an error of the guard itself: of the infrastructure, never a denial.
// Errors of documents are wrapped as they come from package authority.
type Error struct {
	Code    ErrorCode
	Message string
	Err     error // may be nil
}

// Error returns the message, followed by that of the wrapped error.
func (e *Error) Error() string {
	if e.Err == nil {
		return "guard: " + e.Message
	}
	return "guard: " + e.Message + ": " + e.Err.Error()
}

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Panicked makes an error of what recover returned around a tool. Given to
// [Guard.End], the outcome is recorded as a panic.
func Panicked(recovered any) error {
	return &Error{Code: CodePanic, Message: "the tool panicked: " + describe(recovered)}
}

// NotExecuted makes an error of the reason for which an allowed tool was not
// run after all. Given to [Guard.End], the outcome is recorded as
// not_executed. Use it only where the tool provably did not run.
func NotExecuted(cause error) error {
	return &Error{Code: CodeNotExecuted, Message: "the tool did not run", Err: cause}
}

// Unknown makes an error of the reason for which nobody saw how an allowed tool
// ended: it may have acted, and may act yet. Given to [Guard.End], the outcome
// is recorded as unknown, until a settlement says more.
func Unknown(cause error) error {
	return &Error{Code: CodeUnknown, Message: "how the tool ended is unknown", Err: cause}
}

func configError(format string, args ...any) error {
	return &Error{Code: CodeConfig, Message: fmt.Sprintf(format, args...)}
}
