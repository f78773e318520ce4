GREETING = "the sea"
