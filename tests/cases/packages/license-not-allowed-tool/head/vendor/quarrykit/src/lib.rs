// quarrykit 1.2.0
