package pay

import "log"

func Pay(req Request) {
	log.Printf("cvv=%s", req.CVV)
}
