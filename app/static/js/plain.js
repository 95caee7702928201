// Pages without a poll of their own.
import { pollOverview } from "./app.js";

pollOverview();
