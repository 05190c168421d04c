import { describeRecovery } from "./recovery_suite.ts";

describeRecovery("in memory", () => {});
