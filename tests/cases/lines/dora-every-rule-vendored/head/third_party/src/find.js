function find(user) {
  return fetch(`https://api.corp.invalid/users?email=${user.email}`);
}
