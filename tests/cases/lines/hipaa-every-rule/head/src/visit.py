def save(patient, logger):
    logger.info("saved %s", patient.diagnosis)
