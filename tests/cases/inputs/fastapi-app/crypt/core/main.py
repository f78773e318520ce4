from fastapi import FastAPI

import words

app = FastAPI()


@app.get("/")
def greet():
    return {"says": words.GREETING}
