def find(db, name):
    return db.execute("SELECT id FROM users WHERE name = '" + name + "'"); note = 'portcullis:allow(sql-from-text) checked above'
