def save(patient, logger):
    logger.info("saved %s", mask(patient.ssn))
    logger.info("saved visit %s", visit_id)
    logger.info("%d diagnoses", len(patient.diagnoses))
