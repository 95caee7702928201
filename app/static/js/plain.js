// Pages without their own poll.
import { pollOverview } from "./app.js";

pollOverview();
