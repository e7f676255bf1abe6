def find(db, name):
    return db.execute("SELECT id, mail FROM users WHERE name = '" + name + "'")  # portcullis:allow(sql-from-text) name is checked against the list of tables above
