/* The table of a call: what happens in each phase for each input. Layer: ua. An empty cell means that the input cannot
 * matter there any more (a late event) and is passed over; a request in such a cell is refused with 481. */
#include "ua/call.h"

static ssi_call_handler *const table[SSI_CALL_N_PHASES][SSI_CALL_N_INPUTS] = {
    [SSI_CALL_CONNECT] =
        {
            [SSI_CALL_FLOW_OPEN] = ssi_call_out_flow_open, /* RFC 3261 13.2.1 */
            [SSI_CALL_FLOW_LOST] = ssi_call_out_flow_lost,
            [SSI_CALL_HANGUP] = ssi_call_out_give_up,
        },
    [SSI_CALL_INVITING] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_out_flow_lost,
            [SSI_CALL_PROVISIONAL] = ssi_call_out_provisional, /* 13.2.2.1 */
            [SSI_CALL_SUCCESS] = ssi_call_out_success,         /* 13.2.2.4 */
            [SSI_CALL_REFUSAL] = ssi_call_out_refusal,         /* 13.2.2.2, 13.2.2.3, 22.2 */
            [SSI_CALL_NO_ANSWER] = ssi_call_out_no_answer,
            [SSI_CALL_HANGUP] = ssi_call_out_hangup, /* 9.1 */
        },
    [SSI_CALL_CANCELLED] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_out_flow_lost,
            [SSI_CALL_SUCCESS] = ssi_call_out_late_success, /* 9.1: the 2xx won: ACK and BYE */
            [SSI_CALL_REFUSAL] = ssi_call_out_no_answer,    /* 487, as a rule */
            [SSI_CALL_NO_ANSWER] = ssi_call_out_no_answer,
        },
    [SSI_CALL_OFFERED] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_any_flow_lost,
            [SSI_CALL_RING] = ssi_call_in_ring,     /* 13.3.1.1 */
            [SSI_CALL_ANSWER] = ssi_call_in_answer, /* 13.3.1.4 */
            [SSI_CALL_HANGUP] = ssi_call_in_hangup, /* 13.3.1.3 */
            [SSI_CALL_CANCEL] = ssi_call_in_cancel, /* 9.2 */
            [SSI_CALL_BYE] = ssi_call_in_bye,       /* 15.1.2 */
        },
    [SSI_CALL_ACCEPTED] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_any_flow_lost,
            [SSI_CALL_HANGUP] = ssi_call_any_hangup,
            [SSI_CALL_ACK] = ssi_call_in_ack,
            [SSI_CALL_NO_ACK] = ssi_call_in_no_ack, /* 13.3.1.4 */
            [SSI_CALL_REINVITE] = ssi_call_in_busy, /* 14.2 */
            [SSI_CALL_BYE] = ssi_call_in_bye,
        },
    [SSI_CALL_TALKING] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_any_flow_lost,
            [SSI_CALL_SUCCESS] = ssi_call_out_ack_again, /* 13.2.2.4 */
            [SSI_CALL_HANGUP] = ssi_call_any_hangup,     /* 15.1.1 */
            [SSI_CALL_ACK] = ssi_call_in_ack,
            [SSI_CALL_NO_ACK] = ssi_call_in_no_ack,
            [SSI_CALL_REINVITE] = ssi_call_in_reinvite, /* 14.2 */
            [SSI_CALL_BYE] = ssi_call_in_bye,           /* 15.1.2 */
        },
    [SSI_CALL_LEAVING] =
        {
            [SSI_CALL_FLOW_LOST] = ssi_call_any_bye_done,
            [SSI_CALL_SUCCESS] = ssi_call_out_ack_again,
            [SSI_CALL_BYE] = ssi_call_in_bye,
            [SSI_CALL_BYE_DONE] = ssi_call_any_bye_done,
        },
};

void ssi_call_step(secsip_call *c, enum ssi_call_input input, struct ssi_sip_msg *m,
                   struct ssi_txn *t)
{
    ssi_call_handler *handler = table[c->phase][input];

    if (!handler) {
        if (t && (input == SSI_CALL_BYE || input == SSI_CALL_REINVITE))
            ssi_ua_refuse(c->ua, t, 481);
        return;
    }
    ssi_call_ref(c);
    handler(c, m, t);
    ssi_call_unref(c);
}
