# Follows the client in Python of docs/protocol/clients.md: tells the test what that does, a line of JSON each.
import json
import sys
import time

OPTIONS = {"url": "", "password": "right", "missing": 0, "hurry": 0, "steady": False, **json.loads(sys.argv[1])}


def tell(event, *details):
    print(json.dumps([event, *details]))


class Told(Session):
    backoff = 0.05
    asked = 0

    async def credentials(self):
        self.asked += 1
        if self.asked <= OPTIONS["missing"]:
            raise OSError("No credentials yet")
        if OPTIONS["password"] is None:
            raise LookupError("No password")
        return {"username": "ada", "password": OPTIONS["password"], "ticket": self.asked}

    async def on_challenge(self, question, *_):
        tell("challenge", question)
        return "123456"

    async def call(self, *args, **options):
        outcome = await super().call(*args, **options)
        tell("outcome", outcome)
        return outcome

    def on_connect(self):
        super().on_connect()
        tell("connect", time.monotonic())

    def on_authenticated(self, *args):
        super().on_authenticated(*args)
        tell("authenticated", *args)

    def on_unauthorized(self, *args):
        super().on_unauthorized(*args)
        tell("unauthorized", *args, time.monotonic())

    def on_welcome(self):
        tell("welcome")

    def on_news(self, news):
        tell("news", news)

    def _ask_in(self, seconds):
        if seconds:
            tell("planned", seconds)
            # The first plans are carried out at once.
            if OPTIONS["hurry"] > 0:
                OPTIONS["hurry"] -= 1
                seconds = 0
        super()._ask_in(seconds)

    def _delay(self, failures, refusal):
        seconds = super()._delay(failures, refusal)
        tell("delay", failures, seconds, time.monotonic())
        return seconds


if OPTIONS["steady"]:
    random.uniform = lambda low, high: high


async def main():
    session = Told(OPTIONS["url"])
    asyncio.get_running_loop().add_reader(sys.stdin, session.stop)
    try:
        tell("over", await session.run())
    except LookupError as error:
        tell("failed", str(error))


asyncio.run(main())
