import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { io } from "socket.io-client";
import { Chat } from "./chat.tsx";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Chat socket={io({ autoConnect: false })} />
  </StrictMode>,
);
