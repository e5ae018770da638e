package event

// Observed are the types of events that no command is called: what Aerie sees
// by itself.
var Observed = []string{"USER.LOGIN", "USER.LOGIN.FAILED", "USER.LOGOUT", "VM.STATE"}
