import { io } from "socket.io-client";
import { setUp } from "./page.ts";

setUp(io({ autoConnect: false }));
