package pgledger_test

const workerVariable = "AMBIT_PGLEDGER_WORKER"

func worker(string) int { return 2 }
