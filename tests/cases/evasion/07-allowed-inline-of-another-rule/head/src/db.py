def find(db, name):
    return db.execute("SELECT id, mail FROM users WHERE name = '" + name + "'")  # portcullis:allow(weak-hash) name is checked against the list of tables above
