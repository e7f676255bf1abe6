import net
net.open("https://legacy.corp.invalid/")
