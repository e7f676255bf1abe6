def find(db, name):
    return db.execute("SELECT id, mail FROM users WHERE name = '" + name + "'")
