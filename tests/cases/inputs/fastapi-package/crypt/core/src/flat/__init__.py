from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def greet():
    return {"says": "the land"}


def main():
    print("Hello from flat!")
