user = load()
