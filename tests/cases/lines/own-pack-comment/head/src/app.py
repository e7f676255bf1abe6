import net
# was: legacy.corp.invalid
