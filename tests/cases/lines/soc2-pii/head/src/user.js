function hello(user) {
  console.log("welcome", user.email);
}
