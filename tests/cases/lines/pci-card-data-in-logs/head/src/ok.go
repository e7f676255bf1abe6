package pay

func Ok(req Request) {
	log.Printf("card ending %s", req.Last4)
}
