class Visit {
  void save(Patient patient) {
    log.info("saved {}", patient.getDateOfBirth());
  }
}
