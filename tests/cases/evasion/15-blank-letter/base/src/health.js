const { timeout } = req.query;
