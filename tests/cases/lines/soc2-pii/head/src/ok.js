function bye(user) {
  console.log("bye", user.id);
}
