def pay(form, logger):
    logger.debug("cvv=%s", form.cvv)
