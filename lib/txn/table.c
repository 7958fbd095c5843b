/* The four state machines of RFC 3261 17, RFC 6026 and RFC 4320 as tables, see table.h. Layer: txn. Constant data.
 *
 * One rule of RFC 6026 is kept in another form: there a transport error leaves an Accepted transaction where it is, so
 * that another connection may carry on. Here a transaction lives on one flow (an answer with keys must not come, or go,
 * over a flow that nobody has verified for it), so a lost flow ends it. */
#include "txn/table.h"

#include <stddef.h>

/* clang-format off */
#define NEXT(state, rule_text, ...) {.next = SSI_TXN_##state, .actions = {__VA_ARGS__}, .rule = rule_text}
#define DO(action) SSI_TXN_DO_##action
#define NOT_RUNNING(state) NEXT(state, "the timer does not run here", DO(NOTHING))
#define ONLY_INVITE(state) NEXT(state, "only for INVITE", DO(NOTHING))

static const struct ssi_txn_row ict_rows[SSI_TXN_STATES] = {
    [SSI_TXN_CALLING] = {"Calling", SSI_TXN_T_A, SSI_TXN_T_B, {
        [SSI_TXN_REPEAT] = NEXT(CALLING, "3261 17.1.1.2", DO(SEND_AGAIN)),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.1.1.2", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.1.4", DO(LOST)),
        [SSI_TXN_RX_1XX] = NEXT(PROCEEDING, "3261 17.1.1.2, 9.1", DO(TELL), DO(CANCEL)),
        [SSI_TXN_RX_2XX] = NEXT(ACCEPTED, "6026 7.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.1.2", DO(ACK), DO(TELL)),
        [SSI_TXN_TIMER_C] = NOT_RUNNING(CALLING),
        [SSI_TXN_CANCEL_LIMIT] = NOT_RUNNING(CALLING),
    }},
    [SSI_TXN_PROCEEDING] = {"Proceeding", SSI_TXN_T_NONE, SSI_TXN_T_C, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(PROCEEDING),
        [SSI_TXN_EXPIRE] = NOT_RUNNING(PROCEEDING),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.1.4", DO(LOST)),
        [SSI_TXN_RX_1XX] = NEXT(PROCEEDING, "3261 17.1.1.2, 16.7", DO(RESTART_C), DO(TELL)),
        [SSI_TXN_RX_2XX] = NEXT(ACCEPTED, "6026 7.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.1.2", DO(ACK), DO(TELL)),
        [SSI_TXN_TIMER_C] = NEXT(PROCEEDING, "3261 16.8", DO(GIVE_UP)),
        [SSI_TXN_CANCEL_LIMIT] = NEXT(TERMINATED, "3261 9.1", DO(TIMED_OUT)),
    }},
    [SSI_TXN_COMPLETED] = {"Completed", SSI_TXN_T_NONE, SSI_TXN_T_D, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(COMPLETED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.1.1.2", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.1.1.2: the user has its final response", DO(NOTHING)),
        [SSI_TXN_RX_1XX] = NEXT(COMPLETED, "3261 17.1.1.2: late, dropped", DO(NOTHING)),
        [SSI_TXN_RX_2XX] = NEXT(COMPLETED, "6026 7.2: after another final response, dropped", DO(NOTHING)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.1.2", DO(ACK)),
        [SSI_TXN_TIMER_C] = NOT_RUNNING(COMPLETED),
        [SSI_TXN_CANCEL_LIMIT] = NOT_RUNNING(COMPLETED),
    }},
    [SSI_TXN_ACCEPTED] = {"Accepted", SSI_TXN_T_NONE, SSI_TXN_T_M, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(ACCEPTED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "6026 7.2", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "the user has its final response", DO(NOTHING)),
        [SSI_TXN_RX_1XX] = NEXT(ACCEPTED, "6026 7.2: late, dropped", DO(NOTHING)),
        [SSI_TXN_RX_2XX] = NEXT(ACCEPTED, "6026 7.2: again, or of another fork", DO(TELL)),
        [SSI_TXN_RX_REFUSAL] = NEXT(ACCEPTED, "6026 7.2: dropped", DO(NOTHING)),
        [SSI_TXN_TIMER_C] = NOT_RUNNING(ACCEPTED),
        [SSI_TXN_CANCEL_LIMIT] = NOT_RUNNING(ACCEPTED),
    }},
};

static const struct ssi_txn_row nict_rows[SSI_TXN_STATES] = {
    [SSI_TXN_TRYING] = {"Trying", SSI_TXN_T_E, SSI_TXN_T_F, {
        [SSI_TXN_REPEAT] = NEXT(TRYING, "3261 17.1.2.2", DO(SEND_AGAIN)),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.1.2.2", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.1.4", DO(LOST)),
        [SSI_TXN_RX_1XX] = NEXT(PROCEEDING, "3261 17.1.2.2", DO(TELL)),
        [SSI_TXN_RX_2XX] = NEXT(COMPLETED, "3261 17.1.2.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.2.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_TIMER_C] = ONLY_INVITE(TRYING),
        [SSI_TXN_CANCEL_LIMIT] = ONLY_INVITE(TRYING),
    }},
    [SSI_TXN_PROCEEDING] = {"Proceeding", SSI_TXN_T_E, SSI_TXN_T_F, {
        [SSI_TXN_REPEAT] = NEXT(PROCEEDING, "3261 17.1.2.2", DO(SEND_AGAIN)),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.1.2.2", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.1.4", DO(LOST)),
        [SSI_TXN_RX_1XX] = NEXT(PROCEEDING, "3261 17.1.2.2", DO(TELL)),
        [SSI_TXN_RX_2XX] = NEXT(COMPLETED, "3261 17.1.2.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.2.2", DO(FORGET), DO(TELL)),
        [SSI_TXN_TIMER_C] = ONLY_INVITE(PROCEEDING),
        [SSI_TXN_CANCEL_LIMIT] = ONLY_INVITE(PROCEEDING),
    }},
    [SSI_TXN_COMPLETED] = {"Completed", SSI_TXN_T_NONE, SSI_TXN_T_K, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(COMPLETED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.1.2.2", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "the user has its final response", DO(NOTHING)),
        [SSI_TXN_RX_1XX] = NEXT(COMPLETED, "3261 17.1.2.2: late, dropped", DO(NOTHING)),
        [SSI_TXN_RX_2XX] = NEXT(COMPLETED, "3261 17.1.2.2: again, dropped", DO(NOTHING)),
        [SSI_TXN_RX_REFUSAL] = NEXT(COMPLETED, "3261 17.1.2.2: again, dropped", DO(NOTHING)),
        [SSI_TXN_TIMER_C] = ONLY_INVITE(COMPLETED),
        [SSI_TXN_CANCEL_LIMIT] = ONLY_INVITE(COMPLETED),
    }},
};

static const struct ssi_txn_row ist_rows[SSI_TXN_STATES] = {
    [SSI_TXN_PROCEEDING] = {"Proceeding", SSI_TXN_T_100_INVITE, SSI_TXN_T_NONE, {
        [SSI_TXN_REPEAT] = NEXT(PROCEEDING, "3261 17.2.1", DO(SEND_100)),
        [SSI_TXN_EXPIRE] = NOT_RUNNING(PROCEEDING),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.2.4", DO(LOST)),
        [SSI_TXN_RX_REQUEST] = NEXT(PROCEEDING, "3261 17.2.1", DO(SEND_AGAIN)),
        [SSI_TXN_RX_ACK] = NEXT(PROCEEDING, "there is no final response to acknowledge", DO(NOTHING)),
        [SSI_TXN_TU_1XX] = NEXT(PROCEEDING, "3261 17.2.1", DO(STOP_100), DO(SEND)),
        [SSI_TXN_TU_2XX] = NEXT(ACCEPTED, "6026 7.1", DO(SEND), DO(FORGET)),
        [SSI_TXN_TU_REFUSAL] = NEXT(COMPLETED, "3261 17.2.1", DO(SEND)),
    }},
    [SSI_TXN_COMPLETED] = {"Completed", SSI_TXN_T_G, SSI_TXN_T_H, {
        [SSI_TXN_REPEAT] = NEXT(COMPLETED, "3261 17.2.1", DO(SEND_AGAIN)),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.2.1", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.2.1, 17.2.4", DO(LOST)),
        [SSI_TXN_RX_REQUEST] = NEXT(COMPLETED, "3261 17.2.1", DO(SEND_AGAIN)),
        [SSI_TXN_RX_ACK] = NEXT(CONFIRMED, "3261 17.2.1", DO(FORGET), DO(TELL_ACK)),
        [SSI_TXN_TU_1XX] = NEXT(COMPLETED, "3261 17.2.1", DO(REFUSE)),
        [SSI_TXN_TU_2XX] = NEXT(COMPLETED, "3261 17.2.1", DO(REFUSE)),
        [SSI_TXN_TU_REFUSAL] = NEXT(COMPLETED, "3261 17.2.1", DO(REFUSE)),
    }},
    [SSI_TXN_CONFIRMED] = {"Confirmed", SSI_TXN_T_NONE, SSI_TXN_T_I, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(CONFIRMED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.2.1", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.2.1: all is said", DO(NOTHING)),
        [SSI_TXN_RX_REQUEST] = NEXT(CONFIRMED, "3261 17.2.1: overtaken by its ACK", DO(NOTHING)),
        [SSI_TXN_RX_ACK] = NEXT(CONFIRMED, "3261 17.2.1: absorbed", DO(NOTHING)),
        [SSI_TXN_TU_1XX] = NEXT(CONFIRMED, "3261 17.2.1", DO(REFUSE)),
        [SSI_TXN_TU_2XX] = NEXT(CONFIRMED, "3261 17.2.1", DO(REFUSE)),
        [SSI_TXN_TU_REFUSAL] = NEXT(CONFIRMED, "3261 17.2.1", DO(REFUSE)),
    }},
    [SSI_TXN_ACCEPTED] = {"Accepted", SSI_TXN_T_NONE, SSI_TXN_T_L, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(ACCEPTED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "6026 7.1", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "6026 7.1", DO(LOST)),
        [SSI_TXN_RX_REQUEST] = NEXT(ACCEPTED, "6026 7.1: absorbed", DO(NOTHING)),
        [SSI_TXN_RX_ACK] = NEXT(ACCEPTED, "6026 7.1", DO(PASS_ACK)),
        [SSI_TXN_TU_1XX] = NEXT(ACCEPTED, "6026 7.1", DO(REFUSE)),
        [SSI_TXN_TU_2XX] = NEXT(ACCEPTED, "6026 7.1", DO(SEND), DO(FORGET)),
        [SSI_TXN_TU_REFUSAL] = NEXT(ACCEPTED, "6026 7.1", DO(REFUSE)),
    }},
};

static const struct ssi_txn_row nist_rows[SSI_TXN_STATES] = {
    [SSI_TXN_TRYING] = {"Trying", SSI_TXN_T_100_OTHER, SSI_TXN_T_LIMIT, {
        [SSI_TXN_REPEAT] = NEXT(PROCEEDING, "4320 4.1", DO(SEND_100)),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "4320 4.2: too late for any response", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.2.4", DO(LOST)),
        [SSI_TXN_RX_REQUEST] = NEXT(TRYING, "3261 17.2.2: dropped", DO(NOTHING)),
        [SSI_TXN_RX_ACK] = ONLY_INVITE(TRYING),
        [SSI_TXN_TU_1XX] = NEXT(PROCEEDING, "3261 17.2.2", DO(SEND)),
        [SSI_TXN_TU_2XX] = NEXT(COMPLETED, "3261 17.2.2", DO(SEND)),
        [SSI_TXN_TU_REFUSAL] = NEXT(COMPLETED, "3261 17.2.2", DO(SEND)),
    }},
    [SSI_TXN_PROCEEDING] = {"Proceeding", SSI_TXN_T_NONE, SSI_TXN_T_LIMIT, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(PROCEEDING),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "4320 4.2: too late for any response", DO(TIMED_OUT)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "3261 17.2.4", DO(LOST)),
        [SSI_TXN_RX_REQUEST] = NEXT(PROCEEDING, "3261 17.2.2", DO(SEND_AGAIN)),
        [SSI_TXN_RX_ACK] = ONLY_INVITE(PROCEEDING),
        [SSI_TXN_TU_1XX] = NEXT(PROCEEDING, "3261 17.2.2", DO(SEND)),
        [SSI_TXN_TU_2XX] = NEXT(COMPLETED, "3261 17.2.2", DO(SEND)),
        [SSI_TXN_TU_REFUSAL] = NEXT(COMPLETED, "3261 17.2.2", DO(SEND)),
    }},
    [SSI_TXN_COMPLETED] = {"Completed", SSI_TXN_T_NONE, SSI_TXN_T_J, {
        [SSI_TXN_REPEAT] = NOT_RUNNING(COMPLETED),
        [SSI_TXN_EXPIRE] = NEXT(TERMINATED, "3261 17.2.2", DO(NOTHING)),
        [SSI_TXN_FLOW_LOST] = NEXT(TERMINATED, "all is said", DO(NOTHING)),
        [SSI_TXN_RX_REQUEST] = NEXT(COMPLETED, "3261 17.2.2", DO(SEND_AGAIN)),
        [SSI_TXN_RX_ACK] = ONLY_INVITE(COMPLETED),
        [SSI_TXN_TU_1XX] = NEXT(COMPLETED, "3261 17.2.2", DO(REFUSE)),
        [SSI_TXN_TU_2XX] = NEXT(COMPLETED, "3261 17.2.2", DO(REFUSE)),
        [SSI_TXN_TU_REFUSAL] = NEXT(COMPLETED, "3261 17.2.2", DO(REFUSE)),
    }},
};

/* clang-format on */

const struct ssi_txn_machine ssi_txn_machines[SSI_TXN_KINDS] = {
    [SSI_TXN_ICT] = {"INVITE client", true, SSI_TXN_CALLING, ict_rows},
    [SSI_TXN_NICT] = {"non-INVITE client", true, SSI_TXN_TRYING, nict_rows},
    [SSI_TXN_IST] = {"INVITE server", false, SSI_TXN_PROCEEDING, ist_rows},
    [SSI_TXN_NIST] = {"non-INVITE server", false, SSI_TXN_TRYING, nist_rows},
};

/* RFC 3261 table 4, RFC 6026 for L and M. */
const struct ssi_txn_timer_info ssi_txn_timers[SSI_TXN_TIMERS] = {
    [SSI_TXN_T_NONE] = {"", SSI_TXN_NEVER, SSI_TXN_NEVER, false, false},
    [SSI_TXN_T_A] = {"timer A", SSI_TXN_T1, SSI_TXN_NEVER, true, false},
    [SSI_TXN_T_B] = {"timer B", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_C] = {"timer C", SSI_TXN_SPAN_C, SSI_TXN_SPAN_C, false, false},
    [SSI_TXN_T_D] = {"timer D", SSI_TXN_32_S, SSI_TXN_AT_ONCE, false, false},
    [SSI_TXN_T_E] = {"timer E", SSI_TXN_T1, SSI_TXN_NEVER, true, true},
    [SSI_TXN_T_F] = {"timer F", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_G] = {"timer G", SSI_TXN_T1, SSI_TXN_NEVER, true, true},
    [SSI_TXN_T_H] = {"timer H", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_I] = {"timer I", SSI_TXN_T4, SSI_TXN_AT_ONCE, false, false},
    [SSI_TXN_T_J] = {"timer J", SSI_TXN_64_T1, SSI_TXN_AT_ONCE, false, false},
    [SSI_TXN_T_K] = {"timer K", SSI_TXN_T4, SSI_TXN_AT_ONCE, false, false},
    [SSI_TXN_T_L] = {"timer L", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_M] = {"timer M", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_100_INVITE] = {"200 ms without a response", SSI_TXN_200_MS, SSI_TXN_200_MS, false,
                              false},
    [SSI_TXN_T_100_OTHER] = {"peer's timer E at T2", SSI_TXN_E_AT_T2, SSI_TXN_E_AT_T2, false,
                             false},
    [SSI_TXN_T_LIMIT] = {"peer's timer F", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
    [SSI_TXN_T_CANCEL] = {"64*T1 after CANCEL", SSI_TXN_64_T1, SSI_TXN_64_T1, false, false},
};

const char *ssi_txn_event_name(bool is_client, enum ssi_txn_event event)
{
    static const char *const client[SSI_TXN_EVENTS] = {
        "repeat", "expire", "flow lost", "1xx", "2xx", "300-699", "timer C", "64*T1 after CANCEL",
    };
    static const char *const server[SSI_TXN_EVENTS] = {
        "repeat", "expire",      "flow lost",   "request again",
        "ACK",    "1xx from TU", "2xx from TU", "300-699 from TU",
    };
    return event < SSI_TXN_EVENTS ? (is_client ? client : server)[event] : "";
}

const char *ssi_txn_action_name(enum ssi_txn_action action)
{
    static const char *const names[SSI_TXN_ACTIONS] = {
        [SSI_TXN_DO_NOTHING] = "",
        [SSI_TXN_DO_SEND_AGAIN] = "send again",
        [SSI_TXN_DO_TELL] = "response to TU",
        [SSI_TXN_DO_ACK] = "send ACK",
        [SSI_TXN_DO_CANCEL] = "send a waiting CANCEL",
        [SSI_TXN_DO_GIVE_UP] = "send CANCEL",
        [SSI_TXN_DO_RESTART_C] = "restart timer C",
        [SSI_TXN_DO_FORGET] = "wipe kept bytes",
        [SSI_TXN_DO_TIMED_OUT] = "timeout to TU",
        [SSI_TXN_DO_LOST] = "failure to TU",
        [SSI_TXN_DO_SEND] = "send response",
        [SSI_TXN_DO_SEND_100] = "send 100",
        [SSI_TXN_DO_STOP_100] = "no 100 any more",
        [SSI_TXN_DO_TELL_ACK] = "ACK to TU",
        [SSI_TXN_DO_PASS_ACK] = "ACK to TU",
        [SSI_TXN_DO_REFUSE] = "refuse",
    };
    return action < SSI_TXN_ACTIONS ? names[action] : "";
}
